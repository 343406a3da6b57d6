import type { Call } from './call.ts';

/** One endpoint. `{name}` in the path is one segment; `{name...}` takes slashes too, for image names. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** The API version that brought the endpoint, where newer than the oldest served. */
  readonly since?: string;
  readonly handler: (call: Call) => Promise<void> | void;
}

/** A route found for a request, with the parts of its path. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds routes by method and path; the first in the table wins. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly pattern: RegExp }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  }

  /** The route of a request; `undefined` when there is none, or when the path is not proper percent-encoding. */
  find(method: string, path: string): RouteMatch | undefined {
    for (const { route, pattern } of this.#routes) {
      if (route.method !== method) continue;
      const match = pattern.exec(path);
      if (match !== null) return withDecodedParams(route, match.groups ?? {});
    }
    return undefined;
  }
}

function patternOf(path: string): RegExp {
  const source = path
    .replaceAll('.', '\\.')
    .replace(/\{(\w+)\\\.\\\.\\\.\}/g, '(?<$1>.+)')
    .replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`);
}

function withDecodedParams(route: Route, groups: Readonly<Record<string, string>>): RouteMatch | undefined {
  try {
    const params = Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { route, params: Object.fromEntries(params) };
  } catch {
    return undefined;
  }
}
