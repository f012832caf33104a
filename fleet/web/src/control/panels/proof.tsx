import { useSignal } from '@preact/signals'
import { get } from '../../shared/api'
import { attempt } from '../../shared/ui/attempt'
import type { VisitProof } from '../../shared/wire'
import { OutcomeBadge, timeOf } from './parts'
import './proof.css'
import { tProof as t } from './proof-strings'

/** Why a visit was judged so, and what was held before; read when it is asked for. */
export function Proof({ visitId }: { visitId: string }) {
  const proof = useSignal<VisitProof | null>(null)
  const open = async (event: Event) => {
    if ((event.currentTarget as HTMLDetailsElement).open) {
      proof.value = (await attempt(() => get<VisitProof>(`/api/visits/${visitId}/proof`))) ?? proof.value
    }
  }
  return (
    <details class="proof dim" onToggle={(event) => void open(event)}>
      <summary>{t('why')}</summary>
      {proof.value !== null && <Said proof={proof.value} />}
    </details>
  )
}

function Said({ proof }: { proof: VisitProof }) {
  return (
    <>
      {proof.history.length === 0 && <p>{t('nothing')}</p>}
      <ol class="proof-history">
        {proof.history.map((said) => (
          <li key={`${said.made_t}${said.status}`}>
            <OutcomeBadge status={said.status} /> <span class="numbers">{t('since', { at: timeOf(said.made_t) })}</span>
            <p>{said.text}</p>
          </li>
        ))}
      </ol>
      {proof.probable && <p>{t('probable')}</p>}
      <p class="numbers">
        {t('passes', { n: proof.passes.length })} · {t('fixes', { n: proof.fixes.length })}
      </p>
    </>
  )
}
