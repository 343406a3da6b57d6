import { VicError } from '@vic/errors';
import { type ContentDescriptor, type RegistryManifest, parseRegistryManifest } from '@vic/oci';
import { additionsOf } from './artifact-body.ts';
import type { ArtifactRow } from './artifact-catalog.ts';
import type { CatalogDeps } from './catalog-services.ts';
import { parseChartDependencies, readChartFile } from './chart-files.ts';
import { readBounded } from './read-bounded.ts';

/** A document about an artifact. */
export interface Addition {
  readonly contentType: string;
  readonly content: string;
}

const MAX_CONFIG_BYTES = 16 * 1024 * 1024;
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const MARKDOWN_TYPE = 'text/markdown; charset=utf-8';

/** Where layers say which file they are: models', and those of ORAS. */
const FILE_ANNOTATIONS = ['org.cncf.model.filepath', 'org.opencontainers.image.title'];

/** Reads documents about artifacts from the artifacts themselves. */
export class ArtifactAdditions {
  readonly #deps: Pick<CatalogDeps, 'blobs' | 'store'>;

  constructor(deps: Pick<CatalogDeps, 'blobs' | 'store'>) {
    this.#deps = deps;
  }

  /** The document of that name; refused when artifacts of the type have none. */
  async read(artifact: ArtifactRow, addition: string): Promise<Addition> {
    if (!additionsOf(artifact).includes(addition)) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'ADDITION_NOT_SUPPORTED',
        message: `addition ${addition.slice(0, 64).toUpperCase()} isn't supported for ${artifact.type}`,
      });
    }
    const manifest = await this.#manifest(artifact);
    switch (addition) {
      case 'build_history':
        return this.#history(manifest);
      case 'files':
        return { contentType: JSON_TYPE, content: JSON.stringify(filesOf(manifest)) };
      case 'license':
        return this.#file(artifact, manifest, { name: /^LICENSE(?:\.\w+)?$/i, contentType: TEXT_TYPE });
      case 'readme.md':
        return artifact.type === 'CHART'
          ? this.#chartFile(artifact, manifest, { names: ['README.md'], contentType: MARKDOWN_TYPE })
          : this.#file(artifact, manifest, { name: /^README\.md$/i, contentType: MARKDOWN_TYPE });
      case 'values.yaml':
        return this.#chartFile(artifact, manifest, { names: ['values.yaml'], contentType: TEXT_TYPE });
      case 'dependencies':
        return this.#dependencies(artifact, manifest);
      default:
        throw missing(artifact, addition);
    }
  }

  async #manifest(artifact: ArtifactRow): Promise<RegistryManifest> {
    const served = await this.#deps.store.getManifest(artifact.repository, artifact.digest);
    if (served === undefined) throw missing(artifact, 'manifest');
    return parseRegistryManifest(served.manifest.content, served.manifest.mediaType);
  }

  async #history({ config }: RegistryManifest): Promise<Addition> {
    const text = config === undefined ? '{}' : await this.#text(config, MAX_CONFIG_BYTES);
    const history = historyIn(text);
    return { contentType: JSON_TYPE, content: JSON.stringify(Array.isArray(history) ? history : []) };
  }

  async #dependencies(artifact: ArtifactRow, manifest: RegistryManifest): Promise<Addition> {
    const names = ['requirements.yaml', 'Chart.yaml'];
    const { content } = await this.#chartFile(artifact, manifest, { names, contentType: TEXT_TYPE });
    return { contentType: JSON_TYPE, content: JSON.stringify(parseChartDependencies(content)) };
  }

  async #chartFile(
    artifact: ArtifactRow,
    manifest: RegistryManifest,
    wanted: { readonly names: readonly string[]; readonly contentType: string },
  ): Promise<Addition> {
    const layer =
      manifest.layers.find(({ mediaType }) => mediaType.includes('helm.chart.content')) ?? manifest.layers[0];
    const archive = layer === undefined ? undefined : await this.#deps.blobs.read(layer.digest);
    const content = archive === undefined ? undefined : await readChartFile(archive, wanted.names);
    if (content === undefined) throw missing(artifact, wanted.names[0] ?? '');
    return { contentType: wanted.contentType, content };
  }

  async #file(
    artifact: ArtifactRow,
    manifest: RegistryManifest,
    wanted: { readonly name: RegExp; readonly contentType: string },
  ): Promise<Addition> {
    const layer = manifest.layers.find((candidate) => wanted.name.test(fileNameOf(candidate) ?? ''));
    const isArchive = layer?.mediaType.includes('tar') === true;
    if (layer === undefined || isArchive) throw missing(artifact, wanted.name.source);
    return { contentType: wanted.contentType, content: await this.#text(layer, MAX_TEXT_BYTES) };
  }

  async #text({ digest }: ContentDescriptor, limitBytes: number): Promise<string> {
    const content = await this.#deps.blobs.read(digest);
    return (await readBounded(content, limitBytes)).toString('utf8');
  }
}

function historyIn(config: string): unknown {
  try {
    const parsed: unknown = JSON.parse(config);
    return typeof parsed === 'object' && parsed !== null && 'history' in parsed ? parsed.history : undefined;
  } catch (cause) {
    const message = "the artifact's configuration is not JSON";
    throw new VicError({ class: 'InvalidArgument', code: 'ADDITION_INVALID', message, cause });
  }
}

function filesOf(manifest: RegistryManifest): readonly Record<string, unknown>[] {
  return manifest.layers.flatMap((layer) => {
    const name = fileNameOf(layer);
    return name === undefined ? [] : [{ name, type: 'file', size: layer.sizeBytes }];
  });
}

function fileNameOf({ annotations }: ContentDescriptor): string | undefined {
  return FILE_ANNOTATIONS.map((key) => annotations[key]).find((name) => name !== undefined);
}

function missing(artifact: ArtifactRow, what: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'ADDITION_NOT_FOUND',
    message: `${artifact.repository}@${artifact.digest} has no ${what}`,
  });
}
