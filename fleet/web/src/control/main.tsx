import '../shared/base.css'
import '../shared/ui/ui.css'
import { initLanguage } from '../shared/i18n'

initLanguage()
