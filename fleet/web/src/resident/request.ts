import '../shared/base.css'
import { initLanguage } from '../shared/i18n'

initLanguage()
document.querySelector('#app')?.append('safai')
