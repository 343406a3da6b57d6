import { randomBytes } from 'node:crypto';
import { type ContentDigest, MEDIA_TYPES, digestOfBytes } from '@vic/oci';

/** An answer, read in full. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The codes of a refusal. */
  readonly codes: readonly string[];
}

/** Talks to a registry as raw HTTP, nothing hidden. */
export class RegistryClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  async send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array | string,
  ): Promise<Answer> {
    const response = await fetch(new URL(path, this.#url), {
      method,
      headers: { ...this.#headers, ...headers },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body: bytes, codes: codesIn(bytes) };
  }

  /** Begins an upload; gives its location. */
  async upload(repository: string): Promise<string> {
    const { headers } = await this.send('POST', `/v2/${repository}/blobs/uploads/`);
    return headers.get('location') ?? '';
  }

  /** Pushes a blob in one request. */
  async blob(repository: string, content: string | Uint8Array): Promise<ContentDigest> {
    const digest = digestOfBytes(content);
    const { status } = await this.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, OCTETS, content);
    if (status !== 201) throw new Error(`the blob was refused with ${status}`);
    return digest;
  }

  /** Pushes an image; gives its digest and its manifest. */
  async image(
    repository: string,
    tag: string,
    extra: object = {},
  ): Promise<{ readonly digest: ContentDigest; readonly manifest: Buffer; readonly answer: Answer }> {
    const content = randomBytes(32);
    const config = JSON.stringify({ os: 'linux', architecture: 'amd64' });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: {
          mediaType: MEDIA_TYPES.ociConfig,
          digest: await this.blob(repository, config),
          size: config.length,
        },
        layers: [
          { mediaType: MEDIA_TYPES.ociLayer, digest: await this.blob(repository, content), size: content.length },
        ],
        ...extra,
      }),
    );
    const answer = await this.putManifest(repository, tag, manifest);
    return { digest: digestOfBytes(manifest), manifest, answer };
  }

  async putManifest(
    repository: string,
    reference: string,
    manifest: Uint8Array | string,
    mediaType: string = MEDIA_TYPES.ociManifest,
  ): Promise<Answer> {
    return this.send('PUT', `/v2/${repository}/manifests/${reference}`, { 'content-type': mediaType }, manifest);
  }
}

/** The content type of blobs. */
export const OCTETS = { 'content-type': 'application/octet-stream' } as const;

function codesIn(body: Buffer): readonly string[] {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors?: { code: string }[] };
    return (errors ?? []).map(({ code }) => code);
  } catch {
    return [];
  }
}
