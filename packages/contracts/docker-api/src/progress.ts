/** One line of the answer to a pull, as the command line draws it. */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly errorDetail?: { readonly message: string };
  readonly error?: string;
  readonly aux?: unknown;
}

/** The line of a message, newline (CR LF, as Docker's formatter) included. */
export function progressLine(message: ProgressMessage): string {
  return `${JSON.stringify(message)}\r\n`;
}

/** A progress message with the bar older clients show as it is. */
export function layerProgress(id: string, status: string, currentBytes: number, totalBytes: number): ProgressMessage {
  // Go's clients refuse a whole line for the sake of one fraction.
  const current = Math.floor(currentBytes);
  const total = Math.floor(totalBytes);
  return { status, progressDetail: { current, total }, progress: progressBar(current, total), id };
}

/** The last line of a transfer that failed after its first byte. */
export function progressError(message: string): ProgressMessage {
  return { errorDetail: { message }, error: message };
}

const BAR_WIDTH = 50;

function progressBar(current: number, total: number): string {
  if (total <= 0) return sizeText(current).padStart(8);
  const done = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = done < BAR_WIDTH ? `${'='.repeat(done)}>${' '.repeat(BAR_WIDTH - done)}` : `${'='.repeat(BAR_WIDTH)}>`;
  return `[${bar}]  ${sizeText(current).padStart(6)}/${sizeText(total)}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in decimal units with up to four significant digits, as Docker prints it (`1.984MB`). */
export function sizeText(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${UNITS[unit]}`;
}
