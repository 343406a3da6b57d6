import { createHash, createPublicKey } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TestSigstore } from '../../packages/registry/trust/src/testing/test-sigstore.ts';

interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}
interface ProposedEntry {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: {
    readonly proposedContent?: { readonly envelope: string; readonly verifiers: readonly string[] };
    readonly [key: string]: unknown;
  };
}
/** cosign 2 sends envelopes whole, cosign 3 the hash of what is signed. */
interface ProposedV2 {
  readonly dsseRequestV002?: { readonly envelope: Envelope; readonly verifiers: readonly object[] };
  readonly hashedRekordRequestV002?: { readonly digest: string; readonly signature: object };
}

/** An instance of sigstore that clients can talk to: Fulcio's and Rekor's HTTP interfaces in front of one of tests. */
export class SigstoreSite implements AsyncDisposable {
  readonly sigstore = new TestSigstore();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  /** Starts one on a free port. */
  static async open(): Promise<SigstoreSite> {
    const site = new SigstoreSite();
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  /** Where it is. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** A token by which an OIDC provider vouches for an e-mail address; nobody here verifies its signature. */
  tokenFor(email: string, issuer: string): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const nowS = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: email,
      email,
      email_verified: true,
      aud: 'sigstore',
      iat: nowS,
      exp: nowS + 600,
    };
    return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${part({ signature: 'none' })}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const json = (): unknown => JSON.parse(body.toString());
    const authorization = request.headers.authorization ?? '';
    switch (request.url) {
      case '/api/v1/signingCert': {
        const { publicKey } = json() as { readonly publicKey: { readonly content: string } };
        const pem = this.#certify(authorization, Buffer.from(publicKey.content, 'base64').toString());
        response.writeHead(201).end(pem);
        return;
      }
      case '/api/v2/signingCert': {
        const { publicKeyRequest } = json() as {
          readonly publicKeyRequest: { readonly publicKey: { readonly content: string } };
        };
        const pem = this.#certify(authorization, publicKeyRequest.publicKey.content);
        const certificates = pem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----\n/g);
        sendJson(response, 200, { signedCertificateEmbeddedSct: { chain: { certificates } } });
        return;
      }
      case '/api/v1/log/entries':
        sendJson(response, 201, this.#log(json() as ProposedEntry));
        return;
      case '/api/v2/log/entries':
        sendJson(response, 201, this.#logV2(json() as ProposedV2));
        return;
      case '/api/v1/timestamp': {
        // TimeStampReq: the hash is the only OCTET STRING of its length.
        const at = body.indexOf(Buffer.from([0x04, 0x20])) + 2;
        response.writeHead(201).end(this.sigstore.timestamp(body.subarray(at, at + 32)));
        return;
      }
      default:
        response.writeHead(404).end();
    }
  }

  #certify(authorization: string, publicKey: string): string {
    const [, claims = ''] = authorization.split('.');
    const { iss: issuer, email } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, string>;
    const alternativeNames = [{ kind: 'email', value: email ?? '' }] as const;
    return this.sigstore.issueFor(createPublicKey(publicKey), { issuer, certificate: { alternativeNames } });
  }

  #log(proposed: ProposedEntry): object {
    const { log } = this.sigstore;
    const logged = log.add(canonical(proposed), Date.now());
    const { proof } = logged;
    return {
      ['24'.repeat(40)]: {
        body: logged.body.toString('base64'),
        integratedTime: logged.integratedTimeS,
        logID: log.id.toString('hex'),
        logIndex: logged.logIndex,
        verification: {
          signedEntryTimestamp: logged.promise.toString('base64'),
          inclusionProof: {
            checkpoint: proof.checkpoint,
            hashes: proof.hashes.map((hash) => hash.toString('hex')),
            logIndex: proof.logIndex,
            rootHash: proof.rootHash.toString('hex'),
            treeSize: proof.treeSize,
          },
        },
      },
    };
  }

  /** The second Rekor neither promises nor tells the time. */
  #logV2({ dsseRequestV002, hashedRekordRequestV002 }: ProposedV2): object {
    if (hashedRekordRequestV002 !== undefined) {
      const { digest, signature } = hashedRekordRequestV002;
      const spec = { hashedRekordV002: { data: { algorithm: 'SHA2_256', digest }, signature } };
      return this.sigstore.entry({ apiVersion: '0.0.2', kind: 'hashedrekord', spec }, { timestamped: true });
    }
    const { envelope, verifiers } = dsseRequestV002 ?? { envelope: { payload: '', signatures: [] }, verifiers: [] };
    const digest = createHash('sha256').update(Buffer.from(envelope.payload, 'base64')).digest('base64');
    const signatures = envelope.signatures.map(({ sig }) => ({ content: sig, verifier: verifiers[0] }));
    const spec = { dsseV002: { payloadHash: { algorithm: 'SHA2_256', digest }, signatures } };
    return this.sigstore.entry({ apiVersion: '0.0.2', kind: 'dsse', spec }, { timestamped: true });
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', location: '/api/v1/log/entries/1' });
  response.end(JSON.stringify(body));
}

/** What Rekor keeps of what it is given: of an envelope only the hashes, its signature and whose it is. */
function canonical({ kind, apiVersion, spec }: ProposedEntry): object {
  const { proposedContent } = spec;
  if (proposedContent === undefined) return { apiVersion, kind, spec };
  const envelope = JSON.parse(proposedContent.envelope) as Envelope;
  const hash = (value: string | Buffer): object => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(value).digest('hex'),
  });
  const signatures = envelope.signatures.map(({ sig }) => ({ signature: sig, verifier: proposedContent.verifiers[0] }));
  return {
    apiVersion,
    kind,
    spec: {
      envelopeHash: hash(proposedContent.envelope),
      payloadHash: hash(Buffer.from(envelope.payload, 'base64')),
      signatures,
    },
  };
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
