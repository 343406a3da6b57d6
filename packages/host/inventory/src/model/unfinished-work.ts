import type { Logger } from '@vic/log';
import type { ManagedObjectReference } from '@vic/vim';
import { LineFile } from './line-file.ts';

/** Something a kill would leave half done. */
export type Work =
  | {
      readonly kind: 'task';
      readonly name: string;
      readonly entity: ManagedObjectReference | undefined;
      readonly entityName: string | undefined;
      readonly userName: string;
    }
  /** A machine whose folder is there; all of it is taken back. */
  | { readonly kind: 'create'; readonly moid: string; readonly name: string; readonly folder: string }
  /** A machine of whose files some may be gone; the rest follows. */
  | { readonly kind: 'destroy'; readonly moid: string; readonly name: string };

/** An empty file is begun anew when it has grown this much. */
const MAX_LINES = 1000;

/**
 * What is under way, written down when it begins and when it ends, so that the host that comes after a kill knows
 * what to take back, to finish and to tell.
 */
export class UnfinishedWork implements AsyncDisposable {
  readonly #file: LineFile;
  readonly #logger: Logger;
  #open = 0;
  #last = 0;
  #lines = 0;

  private constructor(file: LineFile, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** Opens the list; gives what the host before did not finish. */
  static async open(
    path: string,
    logger: Logger,
  ): Promise<{ readonly unfinished: UnfinishedWork; readonly found: readonly Work[] }> {
    const { file, lines } = await LineFile.open(path);
    return { unfinished: new UnfinishedWork(file, logger), found: openWork(lines) };
  }

  /** What was found has been dealt with. */
  async settle(): Promise<void> {
    await this.#file.startOver();
  }

  /** Notes that work begins, before its first effect that a kill would leave; gives what ends it. */
  async begin(work: Work): Promise<() => Promise<void>> {
    const number = ++this.#last;
    this.#open++;
    await this.#write({ begin: number, work });
    return async () => {
      this.#open--;
      await this.#write({ end: number });
      if (this.#open > 0 || this.#lines < MAX_LINES) return;
      this.#lines = 0;
      await this.#file.startOver().catch((error: unknown) => this.#failed(error));
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  /** A list that cannot be written must not stop the work: it only matters after a kill. */
  async #write(line: object): Promise<void> {
    this.#lines++;
    await this.#file.append(JSON.stringify(line)).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.#logger.error('The list of work under way cannot be written', { error: String(error) });
  }
}

function openWork(lines: readonly string[]): readonly Work[] {
  const open = new Map<number, Work>();
  for (const line of lines) {
    const { begin, work, end } = parseLine(line);
    if (begin !== undefined && work !== undefined) open.set(begin, work);
    if (end !== undefined) open.delete(end);
  }
  return [...open.values()];
}

/** The directory is the host's own, so a line that can be parsed is one it wrote. */
function parseLine(line: string): { readonly begin?: number; readonly work?: Work; readonly end?: number } {
  try {
    return JSON.parse(line) as { readonly begin?: number; readonly work?: Work; readonly end?: number };
  } catch {
    return {};
  }
}
