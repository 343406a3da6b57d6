/** A stream's text so far. */
export interface Collected {
  readonly text: string;
  readonly ended: Promise<void>;
  /** Resolves once the text has the pattern. */
  until(pattern: RegExp): Promise<void>;
}

/** Gathers a stream's text while waiting for patterns in it. */
export function collect(stream: NodeJS.ReadableStream): Collected {
  const state = { text: '', wake: (): void => undefined };
  const ended = (async () => {
    for await (const chunk of stream) {
      state.text += String(chunk);
      state.wake();
    }
  })();
  ended.catch(() => undefined);
  return {
    get text() {
      return state.text;
    },
    ended,
    until: async (pattern) => {
      while (!pattern.test(state.text)) {
        const { promise, resolve } = Promise.withResolvers<void>();
        state.wake = resolve;
        await Promise.race([
          promise,
          ended.then(() => Promise.reject(new Error(`the stream ended with ${state.text}`))),
        ]);
      }
    },
  };
}
