import { ApiError, GoogleGenAI } from '@google/genai';
import { serve } from './adapter.mjs';

serve({
  name: '@google/genai',
  surfaces: ['gemini', 'gemini-stream'],
  typed: (err) => err instanceof ApiError,
  fields: ['err.code', 'err.reason'],
  raw: (err, strings) => strings(err.details ?? err.error, 'err.details'),
  async call({ base_url, key, model, prompt, stream }, onText) {
    const client = new GoogleGenAI({ apiKey: key, vertexai: false, httpOptions: { baseUrl: base_url } });
    const ask = { model, contents: prompt, config: { maxOutputTokens: 16 } };
    if (!stream) return (await client.models.generateContent(ask)).text;
    for await (const chunk of await client.models.generateContentStream(ask)) onText(chunk.text);
    return '';
  },
});
