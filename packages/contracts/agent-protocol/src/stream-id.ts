/** The streams of a channel, by their number on the wire. */
export const STREAM = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** One of the numbers in {@link STREAM}. */
export type StreamKind = (typeof STREAM)[keyof typeof STREAM];

/** How many bytes may be under way on a new stream, in either direction, before its receiver grants more. */
export const INITIAL_CREDIT_BYTES = 256 * 1024;

/** The largest channel number. */
export const MAX_CHANNEL = 0x3fff_ffff;

/** The number of a stream on the wire. */
export function streamId(channel: number, kind: StreamKind): number {
  return channel * 4 + kind;
}

/** The channel of a stream's number. */
export function channelOf(stream: number): number {
  return Math.floor(stream / 4);
}

/** The kind of a stream's number, or undefined when it has none. */
export function streamKindOf(stream: number): StreamKind | undefined {
  const kind = stream % 4;
  return kind === STREAM.stdin || kind === STREAM.stdout || kind === STREAM.stderr ? kind : undefined;
}
