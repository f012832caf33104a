import { expect, test } from 'vitest'
import { dictionary, fill, lang, translator } from './i18n'

const words = dictionary(
  { hello: 'Hello {name}', lanes: '{n} lane|{n} lanes' },
  { hello: 'नमस्ते {name}', lanes: '{n} गली|{n} गलियाँ' },
)

test('a switch of the language changes what a translator says', () => {
  const t = translator(words)
  lang.value = 'en'
  expect(t('hello', { name: 'Asha' })).toBe('Hello Asha')
  lang.value = 'hi'
  expect(t('hello', { name: 'आशा' })).toBe('नमस्ते आशा')
})

test.each([
  ['en', 1, '1 lane'],
  ['en', 2, '2 lanes'],
  ['en', 0, '0 lanes'],
  ['hi', 0, '0 गली'], // Hindi counts nought as one
  ['hi', 2, '2 गलियाँ'],
  ['en', 123456, '1,23,456 lanes'],
] as const)('%s: %d', (of, n, text) => {
  expect(fill(words[of].lanes, { n }, of)).toBe(text)
})

test('missing keys and values do not compile', () => {
  // @ts-expect-error Hindi lacks `hello`
  dictionary({ hello: 'Hello' }, {})
  // @ts-expect-error the placeholder is not given
  expect(translator(words)('hello')).toContain('{name}')
})
