import swagger from '@fastify/swagger';
import type { HttpApplication } from '@vic/http';
import { permits } from './route-permission.ts';

/** What the document of the API says of the API itself. */
export interface ApiInfo {
  readonly title: string;
  readonly version: string;
}

/** Collects the routes that are registered from now on; their schemas become an OpenAPI document. */
export async function describeApi(scope: Parameters<typeof swagger>[0], info: ApiInfo): Promise<void> {
  await scope.register(swagger, { openapi: { openapi: '3.1.0', info } });
}

/** `/openapi.json`. */
export function apiDocument(app: HttpApplication): void {
  app.get('/openapi.json', permits({ scope: 'public' }), async () => (app as unknown as Documented).swagger());
}

interface Documented {
  swagger(): object;
}
