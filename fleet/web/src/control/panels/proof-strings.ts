/** Texts of a visit's proof. */
import { dictionary, translator } from '../../shared/i18n'

export const PROOF_STRINGS = dictionary(
  {
    why: 'Why?',
    since: 'since {at}',
    probable: 'Probable: standing there is all that speaks for it.',
    fixes: '{n} fix|{n} fixes',
    passes: '{n} pass|{n} passes',
    nothing: 'Nothing was said of it yet.',
  },
  {
    why: 'क्यों?',
    since: '{at} से',
    probable: 'संभावित: केवल वहाँ रुकना इसका प्रमाण है।',
    fixes: '{n} स्थिति|{n} स्थितियाँ',
    passes: '{n} बार गुज़री|{n} बार गुज़री',
    nothing: 'इसके बारे में अभी कुछ नहीं कहा गया।',
  },
)

export const tProof = translator(PROOF_STRINGS)
