import { ChatOpenAI } from '@langchain/openai';
import { APIError } from 'openai';
import { serve } from './adapter.mjs';

serve({
  name: '@langchain/openai',
  surfaces: ['chat', 'chat-stream'],
  // Its own errors are those of the library below it, with a code of LangChain's.
  typed: (err) => err instanceof APIError || err?.lc_error_code !== undefined,
  fields: ['err.code', 'err.type', 'err.lc_error_code'],
  raw: (err, strings) => strings(err.error, 'err.error'),
  async call({ base_url, key, model, prompt, stream }, onText) {
    const client = new ChatOpenAI({ model, apiKey: key, maxTokens: 16, configuration: { baseURL: base_url + '/v1' } });
    if (!stream) return (await client.invoke(prompt)).content;
    for await (const chunk of await client.stream(prompt)) onText(typeof chunk.content === 'string' ? chunk.content : '');
    return '';
  },
});
