import { VicError } from '@vic/errors';
import type { HttpClient, HttpMethod, HttpResponse } from '@vic/http-client';

/** Where Harbor's API is and who asks. */
export interface HarborApiDeps {
  readonly http: HttpClient;
  readonly baseUrl: URL;
  /** `Authorization`; anonymous when absent. */
  readonly authorization: string | undefined;
}

/** A repository as its tags and labels tell it, of one artifact. */
export interface HarborArtifact {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly labels: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const PAGE_SIZE = 100;
const MAX_PAGES = 100_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** The part of Harbor's REST API (v2.0) that replication needs; ours has the same shape. */
export class HarborApi {
  readonly #deps: HarborApiDeps;

  constructor(deps: HarborApiDeps) {
    this.#deps = deps;
  }

  /** Names of the projects these credentials see. */
  async *listProjects(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    for await (const project of this.#pages('projects', signal)) {
      if (typeof project['name'] === 'string') yield project['name'];
    }
  }

  /** Names of a project's repositories, with the project. */
  async *listRepositories(project: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    for await (const repository of this.#pages(`projects/${encodeURIComponent(project)}/repositories`, signal)) {
      if (typeof repository['name'] === 'string') yield repository['name'];
    }
  }

  /** The artifacts of a repository, accessories excepted. */
  async *listArtifacts(repository: string, signal: AbortSignal): AsyncGenerator<HarborArtifact, void, undefined> {
    const path = `${repositoryPath(repository)}/artifacts?with_tag=true&with_label=true`;
    for await (const artifact of this.#pages(path, signal)) yield artifactOf(artifact);
  }

  /** One artifact by tag or digest. */
  async artifact(repository: string, reference: string, signal: AbortSignal): Promise<HarborArtifact | undefined> {
    const path = `${repositoryPath(repository)}/artifacts/${reference}?with_tag=true&with_label=true`;
    const artifact = await this.#json(path, signal);
    return artifact === undefined ? undefined : artifactOf(artifact as Fields);
  }

  /** When a tag was last pushed. */
  async tagPushedAt(repository: string, tag: string, signal: AbortSignal): Promise<number | undefined> {
    const path = `${repositoryPath(repository)}/artifacts/${tag}/tags?q=name%3D${encodeURIComponent(tag)}`;
    const tags = await this.#json(path, signal);
    const found = listOf(tags).find((entry) => entry['name'] === tag)?.['push_time'];
    const atMs = typeof found === 'string' ? Date.parse(found) : Number.NaN;
    return Number.isNaN(atMs) ? undefined : atMs;
  }

  /** Removes a tag; gives whether it was there. */
  async deleteTag(repository: string, tag: string, signal: AbortSignal): Promise<boolean> {
    const path = `${repositoryPath(repository)}/artifacts/${tag}/tags/${tag}`;
    const response = await this.#send('DELETE', path, signal);
    response.discard();
    if (response.ok || response.status === 404) return response.ok;
    throw refused(response, 'delete a tag');
  }

  /** Whether a project is public; `undefined` when there is none. */
  async isPublic(project: string, signal: AbortSignal): Promise<boolean | undefined> {
    const found = (await this.#json(`projects/${encodeURIComponent(project)}`, signal)) as Fields | undefined;
    if (found === undefined) return undefined;
    const isPublic = (found['metadata'] as Fields | undefined)?.['public'];
    return isPublic === true || isPublic === 'true';
  }

  /** Makes a project; one that is there already stays as it is. */
  async createProject(name: string, isPublic: boolean, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ project_name: name, metadata: { public: String(isPublic) } });
    const response = await this.#send('POST', 'projects', signal, body);
    response.discard();
    if (!response.ok && response.status !== 409) throw refused(response, `create the project ${name}`);
  }

  /** Names of the global labels. */
  async listLabels(signal: AbortSignal): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.#pages('labels?scope=g', signal)) if (typeof name === 'string') names.push(name);
    return names;
  }

  async *#pages(path: string, signal: AbortSignal): AsyncGenerator<Fields, void, undefined> {
    const separator = path.includes('?') ? '&' : '?';
    for (let page = 1; page <= MAX_PAGES; page++) {
      const entries = listOf(await this.#json(`${path}${separator}page=${page}&page_size=${PAGE_SIZE}`, signal));
      yield* entries;
      if (entries.length < PAGE_SIZE) return;
    }
  }

  /** The document at a path; `undefined` when there is none, or none for these credentials. */
  async #json(path: string, signal: AbortSignal): Promise<unknown> {
    const response = await this.#send('GET', path, signal);
    if (response.ok) return response.json(MAX_ANSWER_BYTES);
    response.discard();
    if (response.status === 404 || response.status === 403 || response.status === 401) return undefined;
    throw refused(response, 'read');
  }

  async #send(method: HttpMethod, path: string, signal: AbortSignal, body?: string): Promise<HttpResponse> {
    const { http, baseUrl, authorization } = this.#deps;
    const base = `${baseUrl.origin}${baseUrl.pathname.replace(/\/+$/, '')}`;
    return http.request({
      method,
      url: `${base}/api/v2.0/${path}`,
      headers: {
        accept: 'application/json',
        'x-is-resource-name': 'true',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body }),
      signal,
    });
  }
}

/** Slashes of a repository's name are encoded twice, as Harbor wants them. */
function repositoryPath(repository: string): string {
  const [project = '', ...rest] = repository.split('/');
  const name = encodeURIComponent(encodeURIComponent(rest.join('/')));
  return `projects/${encodeURIComponent(project)}/repositories/${name}`;
}

function artifactOf(fields: Fields): HarborArtifact {
  const namesIn = (value: unknown): string[] =>
    listOf(value).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  const { digest } = fields;
  return {
    digest: typeof digest === 'string' ? digest : '',
    tags: namesIn(fields['tags']),
    labels: namesIn(fields['labels']),
  };
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}

function refused(response: HttpResponse, what: string): VicError {
  const { status, url } = response;
  const isTransient = status >= 500 || status === 429;
  return new VicError({
    class: isTransient ? 'Unavailable' : 'PermissionDenied',
    code: 'REPLICATION_API_REFUSED',
    message: `${url.host} answered ${status} to a request to ${what}.`,
    remedy: 'Check what the account of the endpoint may do there.',
  });
}
