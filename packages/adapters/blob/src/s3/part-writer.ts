import type { S3Bucket, S3Part } from './s3-bucket.ts';
import { MIN_PART_BYTES, partSize } from './part-size.ts';
import { sumOf } from './upload-state.ts';

/** What a {@link PartWriter} adds to. */
export interface PartTarget {
  readonly bucket: S3Bucket;
  /** The object that the parts will be. */
  readonly key: string;
  /** Begins the multipart upload, when the first part is there. */
  readonly begin: () => Promise<string>;
}

/** Cuts content into parts and stores each while the next is gathered. */
export class PartWriter {
  readonly #target: PartTarget;
  readonly #parts: S3Part[];
  #uploadId: string | undefined;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #sending: Promise<void> = Promise.resolve();
  #partCount: number;

  constructor(
    target: PartTarget,
    before: { readonly uploadId: string | undefined; readonly parts: readonly S3Part[] },
  ) {
    this.#target = target;
    this.#uploadId = before.uploadId;
    this.#parts = [...before.parts];
    this.#partCount = before.parts.length;
  }

  get uploadId(): string | undefined {
    return this.#uploadId;
  }

  get parts(): readonly S3Part[] {
    return this.#parts;
  }

  /** Takes bytes; a promise when the sender has to wait. */
  add(bytes: Uint8Array): Promise<void> | undefined {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    return this.#gatheredBytes >= partSize(this.#partCount + 1) ? this.#send() : undefined;
  }

  /** Stores what is large enough for a part; gives what is left. */
  async finish(): Promise<Uint8Array> {
    await this.#sending;
    if (this.#gatheredBytes >= MIN_PART_BYTES) {
      await this.#send();
      await this.#sending;
    }
    return Buffer.concat(this.#gathered);
  }

  /** How many bytes the parts have. */
  get partBytes(): number {
    return sumOf(this.#parts);
  }

  async #send(): Promise<void> {
    const content = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const number = ++this.#partCount;
    await this.#sending;
    this.#uploadId ??= await this.#target.begin();
    this.#sending = this.#store(this.#uploadId, number, content);
    this.#sending.catch(() => undefined);
  }

  async #store(uploadId: string, number: number, content: Uint8Array): Promise<void> {
    const { bucket, key } = this.#target;
    this.#parts.push(await bucket.putPart(key, uploadId, number, content));
  }
}
