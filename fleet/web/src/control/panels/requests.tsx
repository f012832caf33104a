import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { number } from '../../shared/i18n'
import { Notice } from '../../shared/ui/notice'
import { requests, selectedRequest, showRequest } from '../state/store'
import { requestQueue, type Stage, stageOf } from '../state/views'
import { t } from '../strings'
import { busyWith, placeStop, RequestCard, startClosing } from './request'

const STAGES: readonly Stage[] = ['open', 'planned', 'done', 'closed']

/** True while the person types: keys then are letters. */
function typing(event: KeyboardEvent): boolean {
  const at = event.target
  return at instanceof HTMLElement && at.matches('input, textarea, select, [contenteditable]')
}

/** Residents' requests: the queue on the left hand's keys, the actions beside each. */
export function RequestsPanel() {
  const stages = useSignal<ReadonlySet<Stage>>(new Set<Stage>(['open', 'planned']))
  const queue = requestQueue(requests.value.values(), stages.value)
  const counts = new Map<Stage, number>()
  for (const request of requests.value.values()) {
    counts.set(stageOf(request), (counts.get(stageOf(request)) ?? 0) + 1)
  }
  const toggle = (stage: Stage): void => {
    const next = new Set(stages.value)
    if (!next.delete(stage)) next.add(stage)
    stages.value = next
  }

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
      const at = queue.findIndex(({ id }) => id === selectedRequest.value)
      const step = { j: 1, k: -1 }[event.key]
      if (step !== undefined) {
        const next = queue[Math.min(queue.length - 1, Math.max(0, at + step))]
        if (next === undefined) return
        showRequest(next.id)
        document.querySelector(`[data-request="${next.id}"]`)?.scrollIntoView({ block: 'nearest' })
        return
      }
      const chosen = queue[at]
      if (chosen === undefined || stageOf(chosen) === 'closed' || busyWith.value !== null) return
      if (event.key === 's' && stageOf(chosen) === 'open') void placeStop(chosen, 'today')
      else if (event.key === 't' && stageOf(chosen) === 'open') void placeStop(chosen, 'tomorrow')
      else if (event.key === 'c') {
        event.preventDefault() // the letter would stand in the note
        startClosing(chosen.id)
      }
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })

  return (
    <>
      <div class="tools">
        <div class="switch wide" role="group" aria-label={t('tab.requests')}>
          {STAGES.map((stage) => (
            <button key={stage} type="button" aria-pressed={stages.value.has(stage)} onClick={() => toggle(stage)}>
              {t(`stage.${stage}`)} <span class="numbers">{number(counts.get(stage) ?? 0)}</span>
            </button>
          ))}
        </div>
      </div>
      {queue.length === 0 ? (
        <Notice icon="message" title={t('noRequests')}>
          <p>{t('noRequestsHint')}</p>
        </Notice>
      ) : (
        <>
          <ul class="rows">
            {queue.map((request) => (
              <RequestCard key={request.id} request={request} selected={request.id === selectedRequest.value} />
            ))}
          </ul>
          <p class="keys dim">{t('keys')}</p>
        </>
      )}
    </>
  )
}
