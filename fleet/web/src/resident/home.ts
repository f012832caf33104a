/** `/`: report something, or follow what was reported. */
import { el, page } from './page'
import { t } from './texts'

page((main) => {
  document.title = `safai · ${t('report')}`
  const code = el('input', {
    id: 'code',
    name: 'code',
    autocomplete: 'off',
    autocapitalize: 'characters',
    maxlength: 12,
    required: true,
    'aria-describedby': 'code-hint',
  })
  const follow = el(
    'form',
    {
      class: 'card row-form',
      onsubmit: (event) => {
        event.preventDefault()
        location.assign(`/r/${encodeURIComponent(code.value.trim().toUpperCase())}`)
      },
    },
    el('h2', {}, t('follow')),
    el('label', { for: 'code' }, t('code')),
    el('p', { id: 'code-hint', class: 'hint' }, t('followHint')),
    el('div', { class: 'row' }, code, el('button', { class: 'quiet', type: 'submit' }, t('show'))),
  )
  main.append(
    el(
      'section',
      { class: 'hero' },
      el('h1', {}, t('report')),
      el('p', {}, t('homeLead')),
      el('p', { class: 'dim' }, t('homeCheck')),
      el('a', { class: 'main-button', href: '/report' }, t('report')),
    ),
    follow,
    el('p', { class: 'foot' }, el('a', { href: '/sign-in' }, t('staff'))),
  )
})
