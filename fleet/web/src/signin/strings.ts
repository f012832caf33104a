import { dictionary, translator } from '../shared/i18n'

export const STRINGS = dictionary(
  {
    title: 'Sign in',
    username: 'User name',
    password: 'Password',
    enter: 'Sign in',
    wrong: 'User name or password is wrong.',
    resident: 'Resident? Report a problem here',
  },
  {
    title: 'साइन इन',
    username: 'उपयोगकर्ता नाम',
    password: 'पासवर्ड',
    enter: 'साइन इन करें',
    wrong: 'उपयोगकर्ता नाम या पासवर्ड ग़लत है।',
    resident: 'नागरिक हैं? समस्या यहाँ बताएँ',
  },
)
export const t = translator(STRINGS)
