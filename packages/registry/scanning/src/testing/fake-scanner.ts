import { type HttpServer, createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { MIME } from '../scanners/scanner-metadata.ts';

/** A scanner behind the pluggable scanner API, over real HTTP. */
export class FakeScanner implements AsyncDisposable {
  readonly url: string;
  /** The bodies of the scans asked for. */
  readonly requests: Readonly<Record<string, unknown>>[] = [];
  /** The `Authorization` (or API key) of each request. */
  readonly credentials: (string | undefined)[] = [];
  /** How often a report is answered with "not yet" first. */
  notYet = 0;
  /** Answers every report with this status and message. */
  failure: { readonly status: number; readonly message: string } | undefined;
  vulnerabilities: readonly Readonly<Record<string, unknown>>[] = [];
  readonly #server: HttpServer;

  private constructor(server: HttpServer, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(): Promise<FakeScanner> {
    const server = createHttpServer({ logger: silentLogger() });
    const holder: { scanner?: FakeScanner } = {};
    const { app } = server;
    app.addContentTypeParser(/^application\/vnd\.scanner/, { parseAs: 'string' }, (_request, body, done) =>
      done(null, JSON.parse(String(body))),
    );
    app.addHook('onRequest', async (request) => {
      const key = request.headers['x-scanneradapter-api-key'];
      holder.scanner?.credentials.push(request.headers.authorization ?? (typeof key === 'string' ? key : undefined));
    });
    app.get('/api/v1/metadata', async () => metadata);
    app.post('/api/v1/scan', async (request, reply) => {
      holder.scanner?.requests.push(request.body as Record<string, unknown>);
      void reply.code(202);
      return { id: `scan-${holder.scanner?.requests.length}` };
    });
    app.get('/api/v1/scan/:id/report', async (request, reply) => {
      const { scanner } = holder;
      if (scanner?.failure !== undefined) {
        void reply.code(scanner.failure.status);
        return { error: { message: scanner.failure.message } };
      }
      if (scanner !== undefined && scanner.notYet > 0) {
        scanner.notYet--;
        return reply.code(302).header('refresh-after', '1').header('location', request.url).send();
      }
      if (request.headers.accept === MIME.sbomReport) {
        return { media_type: 'application/spdx+json', sbom: { spdxVersion: 'SPDX-2.3', name: 'from the adapter' } };
      }
      return { generated_at: '2026-01-01T00:00:00Z', severity: 'High', vulnerabilities: scanner?.vulnerabilities };
    });
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    holder.scanner = new FakeScanner(server, `http://127.0.0.1:${'port' in address ? address.port : 0}`);
    return holder.scanner;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close(0);
  }
}

const consumes = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'];

const metadata = {
  scanner: { name: 'Fake', vendor: 'Tests', version: '9.9' },
  capabilities: [
    { type: 'vulnerability', consumes_mime_types: consumes, produces_mime_types: [MIME.nativeReport, MIME.report] },
    { type: 'sbom', consumes_mime_types: consumes, produces_mime_types: [MIME.sbomReport] },
  ],
  properties: { 'harbor.scanner-adapter/registry-authorization-type': 'Basic' },
};
