import type { Writable } from 'node:stream';
import { toVicError } from '@vic/errors';
import { type ProgressMessage, decodeRegistryAuth, layerProgress, progressError, progressLine } from '@vic/docker-api';
import type { PullProgress } from '../backends.ts';
import type { Call } from '../http/call.ts';
import { invalid, notServed } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { imageAttributes } from './inspect-image.ts';

/** `POST /images/create`: a pull. Errors before the first line of progress are HTTP errors, later ones the last line. */
export async function pullImage(context: PersonalityContext, call: Call): Promise<void> {
  if ((call.query('fromSrc') ?? '') !== '') {
    throw notServed('importing images (fromSrc)', 'push the image to a registry and pull it from there.');
  }
  const reference = referenceOf(call);
  const platform = call.query('platform') ?? '';
  const report = new PullReport(() => call.stream('application/json'));
  try {
    const {
      image,
      digest,
      upToDate,
      reference: name,
    } = await context.images.pull(
      reference,
      {
        auth: decodeRegistryAuth(call.exchange.header('x-registry-auth')),
        platform: platform === '' ? undefined : platform,
        onProgress: (progress) => report.progress(progress),
      },
      call.signal,
    );
    report.message({ status: `Digest: ${digest}` });
    report.message({ status: `Status: ${upToDate ? 'Image is up to date' : 'Downloaded newer image'} for ${name}` });
    context.events.publish('image', 'pull', { id: name, attributes: imageAttributes(image, name) });
  } catch (error) {
    if (!report.begun) throw error;
    report.message(progressError(toVicError(error).message));
  }
  report.end();
}

/** `fromImage` with `tag`, which may be a tag or a digest; a missing one means `latest`. */
function referenceOf(call: Call): string {
  const image = call.query('fromImage') ?? '';
  const tag = call.query('tag') ?? '';
  if (image === '') throw invalid('invalid reference format');
  if (tag === '') return image;
  return tag.includes(':') ? `${image}@${tag}` : `${image}:${tag}`;
}

const PHASE_WORDS = {
  queued: 'Pulling fs layer',
  waiting: 'Waiting',
  exists: 'Already exists',
  verifying: 'Verifying Checksum',
  downloaded: 'Download complete',
  complete: 'Pull complete',
  downloading: 'Downloading',
  extracting: 'Extracting',
} as const;

/** The lines of a pull. The answer begins with the first of them. */
class PullReport {
  readonly #open: () => Writable;
  #body: Writable | undefined;

  constructor(open: () => Writable) {
    this.#open = open;
  }

  get begun(): boolean {
    return this.#body !== undefined;
  }

  /** Bars are dropped while the client does not keep up: the next one says more. Phases are few and always sent. */
  progress(progress: PullProgress): void {
    if (progress.kind === 'resolved') {
      this.message({ status: `Pulling from ${progress.repository}`, id: progress.tag });
    } else if (progress.phase === 'downloading' || progress.phase === 'extracting') {
      if (this.#body?.writableNeedDrain === true) return;
      this.message(
        layerProgress(progress.layer, PHASE_WORDS[progress.phase], progress.currentBytes, progress.totalBytes),
      );
    } else {
      this.message({ status: PHASE_WORDS[progress.phase], progressDetail: {}, id: progress.layer });
    }
  }

  message(message: ProgressMessage): void {
    this.#body ??= this.#open();
    if (!this.#body.destroyed) this.#body.write(progressLine(message));
  }

  end(): void {
    this.#body?.end();
  }
}
