import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FakeS3Error } from './fake-s3-request.ts';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Refuses a request whose signature (AWS Signature Version 4) is missing or wrong. */
export function checkSignature(
  request: IncomingMessage,
  body: Uint8Array,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): void {
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '');
  if (match === null) throw new FakeS3Error(403, 'AccessDenied', 'no signature');
  const [, keyId = '', date = '', region = '', signedHeaders = '', signature = ''] = match;
  if (keyId !== credentials.accessKeyId) throw new FakeS3Error(403, 'InvalidAccessKeyId', keyId);
  const payload = String(request.headers['x-amz-content-sha256'] ?? '');
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) {
    throw new FakeS3Error(400, 'XAmzContentSHA256Mismatch', payload);
  }
  const names = signedHeaders.split(';');
  for (const needed of ['host', 'x-amz-content-sha256', 'x-amz-date']) {
    if (!names.includes(needed)) throw new FakeS3Error(403, 'AccessDenied', `${needed} is not signed`);
  }
  const canonical = canonicalRequest(request, names, payload);
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, 's3', 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  if (!timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex'))) {
    throw new FakeS3Error(403, 'SignatureDoesNotMatch', canonical);
  }
}

function canonicalRequest(request: IncomingMessage, names: readonly string[], payload: string): string {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const parameters = query
    .split('&')
    .filter((parameter) => parameter !== '')
    .map((parameter) => (parameter.includes('=') ? parameter : `${parameter}=`))
    .toSorted();
  const headers = names.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('');
  return [request.method, path, parameters.join('&'), headers, names.join(';'), payload].join('\n');
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
