import Anthropic from '@anthropic-ai/sdk';
import { serve } from './adapter.mjs';

serve({
  name: '@anthropic-ai/sdk',
  surfaces: ['messages', 'messages-stream'],
  typed: (err) => err instanceof Anthropic.APIError,
  fields: ['err.errorCode', 'err.type'],
  raw: (err, strings) => strings(err.error, 'err.error'),
  async call({ base_url, key, model, prompt, stream }, onText) {
    const client = new Anthropic({ baseURL: base_url, apiKey: key });
    const got = await client.messages.create({ model, max_tokens: 16, messages: [{ role: 'user', content: prompt }], stream });
    if (!stream) return got?.content?.map((block) => block.text ?? '').join('');
    for await (const event of got) if (event.type === 'content_block_delta') onText(event.delta?.text);
    return '';
  },
});
