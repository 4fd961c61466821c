// The JavaScript client against our server: a question, a tool where it is called, then what it remembers of it all.
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime'

const [url, question, wanted] = process.argv.slice(2)
const light = tool({
  name: 'light',
  description: '开关灯 switches the light',
  parameters: { type: 'object', properties: { on: { type: 'boolean' } }, required: [], additionalProperties: true },
  strict: false,
  execute: async () => '灯开了。',
})
const transport = new OpenAIRealtimeWebSocket({ url: `${url}/v1/realtime?model=zhubo`, useInsecureApiKey: true })
const agent = new RealtimeAgent({ name: 'visitor', instructions: '简短', tools: wanted === 'tool' ? [light] : [] })
const session = new RealtimeSession(agent, { transport, model: 'zhubo', tracingDisabled: true })
const seen = [], errors = [], parsed = {}
let bytes = 0, turns = 0
session.on('error', (error) => errors.push(error))
session.on('audio', (audio) => { bytes += audio.data.byteLength })
for (const kind of ['turn_started', 'turn_done', 'item_update', 'audio_transcript_delta', 'function_call', 'usage_update'])
  transport.on(kind, () => { parsed[kind] = (parsed[kind] ?? 0) + 1 })
const over = new Promise((resolve) => {
  session.on('transport_event', (event) => {
    seen.push(event.type)
    if (event.type === 'response.done' && ++turns === (wanted === 'tool' ? 2 : 1)) setTimeout(resolve, 300)
  })
  setTimeout(resolve, 40000)
})
await session.connect({ apiKey: 'key' })
session.sendMessage(question)
await over
if (wanted === 'interrupt') {
  session.interrupt()
  await new Promise((resolve) => setTimeout(resolve, 500))
}
console.log(JSON.stringify({ seen, errors, parsed, bytes, history: session.history }))
session.close()
process.exit(0)
