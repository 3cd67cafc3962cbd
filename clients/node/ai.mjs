import { createOpenAI } from '@ai-sdk/openai';
import { AISDKError, APICallError, generateText, RetryError, streamText } from 'ai';
import { serve } from './adapter.mjs';

// After its retries the library raises one error that holds those of all attempts.
const last = (err) => (RetryError.isInstance(err) ? err.lastError : err);

serve({
  name: 'ai',
  surfaces: ['chat', 'chat-stream', 'responses', 'responses-stream'],
  typed: (err) => AISDKError.isInstance(err),
  status: (err) => last(err)?.statusCode,
  fields: ['err.data.error.code', 'err.lastError.data.error.code'],
  raw: (err, strings) => strings(last(err)?.responseBody, 'err.responseBody'),
  async call({ surface, base_url, key, model, prompt, stream }, onText) {
    const provider = createOpenAI({ baseURL: base_url + '/v1', apiKey: key });
    const ask = { model: surface.startsWith('responses') ? provider.responses(model) : provider.chat(model), prompt, maxOutputTokens: 16 };
    if (!stream) return (await generateText(ask)).text;
    let failed;
    const got = streamText({ ...ask, onError: ({ error }) => { failed = error; } });
    for await (const text of got.textStream) onText(text);
    if (failed) throw failed; // the text stream itself ends without an error: who does not set onError sees none
    return '';
  },
});
