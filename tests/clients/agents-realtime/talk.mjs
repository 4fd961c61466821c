// The JavaScript client against our server: a question, with tools that are called where asked for; then what it
// remembers of it all. Arguments: the server, the question, `talk`, `interrupt`, `tool` or `tools`.
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime'

const PATIENCE = 600_000 // milliseconds
const [url, question, wanted = 'talk'] = process.argv.slice(2)
const offered = { talk: [], interrupt: [], tool: ['light'], tools: ['light', 'air'] }[wanted]
const tools = offered.map((name) => tool({
  name,
  description: '开关 switches it',
  parameters: { type: 'object', properties: { on: { type: 'boolean' } }, required: [], additionalProperties: true },
  strict: false,
  execute: async () => ({ light: '灯开了。', air: '空调开了。' })[name],
}))
const transport = new OpenAIRealtimeWebSocket({ url: `${url}/v1/realtime?model=zhubo`, useInsecureApiKey: true })
const agent = new RealtimeAgent({ name: 'visitor', instructions: '简短', tools })
const session = new RealtimeSession(agent, { transport, model: 'zhubo', tracingDisabled: true })
const seen = [], errors = [], parsed = {}
let bytes = 0
session.on('error', (error) => errors.push(error))
session.on('audio', (audio) => { bytes += audio.data.byteLength })
for (const kind of ['turn_started', 'turn_done', 'item_update', 'audio_transcript_delta', 'function_call', 'usage_update'])
  transport.on(kind, () => { parsed[kind] = (parsed[kind] ?? 0) + 1 })

let moved = () => {}
session.on('transport_event', (event) => {
  seen.push(event.type)
  moved()
})
async function until(what) {
  const ends = setTimeout(() => { console.error('never came', JSON.stringify({ seen, errors })); process.exit(1) }, PATIENCE)
  while (!what()) await new Promise((resolve) => { moved = resolve })
  clearTimeout(ends)
}
const count = (kind) => seen.filter((one) => one === kind).length

await session.connect({ apiKey: 'key' })
session.sendMessage(question)
await until(() => count('response.done') === (offered.length ? 2 : 1) && seen.at(-1) === 'rate_limits.updated')
if (wanted === 'interrupt') {
  session.interrupt()
  await until(() => count('conversation.item.retrieved') > 0)
}
console.log(JSON.stringify({ seen, errors, parsed, bytes, history: session.history }))
session.close()
process.exit(0)
