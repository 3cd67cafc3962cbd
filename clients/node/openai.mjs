import OpenAI from 'openai';
import { serve } from './adapter.mjs';

// What the library returns is read with ?. all over: an answer that is none must not raise an error that is this adapter's own.
serve({
  name: 'openai',
  surfaces: ['chat', 'responses', 'chat-stream', 'responses-stream', 'embeddings'],
  typed: (err) => err instanceof OpenAI.APIError,
  fields: ['err.code', 'err.type', 'err.param'],
  raw: (err, strings) => strings(err.error, 'err.error'),
  async call({ surface, base_url, key, model, prompt, stream }, onText) {
    const client = new OpenAI({ baseURL: base_url + '/v1', apiKey: key });
    const messages = [{ role: 'user', content: prompt }];
    if (surface === 'embeddings') {
      return (await client.embeddings.create({ model, input: prompt, encoding_format: 'float' }))?.data?.length + ' vectors';
    }
    if (surface.startsWith('responses')) {
      const got = await client.responses.create({ model, input: prompt, max_output_tokens: 16, stream });
      if (!stream) return got?.output_text;
      for await (const event of got) if (event.type === 'response.output_text.delta') onText(event.delta);
      return '';
    }
    const got = await client.chat.completions.create({ model, messages, max_tokens: 16, stream });
    if (!stream) return got?.choices?.[0]?.message?.content;
    for await (const chunk of got) onText(chunk.choices?.[0]?.delta?.content);
    return '';
  },
});
