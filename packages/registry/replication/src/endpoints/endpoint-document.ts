import { Type } from '@vic/http';
import type { Static } from '@vic/http';
import { VicError } from '@vic/errors';
import { ADAPTER_TYPES, isAdapterType } from '../peers/adapter-catalog.ts';
import type { AdapterType } from '../peers/adapter-catalog.ts';
import type { EndpointCredential, EndpointSettings, RegistryEndpoint } from './registry-endpoint.ts';

const Nullable = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Boolean>>(type: T) =>
  Type.Optional(Type.Union([type, Type.Null()]));
const text = Type.String({ maxLength: 65_536 });

/** The body that makes an endpoint. */
export const NewRegistryBody = Type.Object({
  name: Type.Optional(text),
  description: Nullable(text),
  type: Type.Optional(text),
  url: Type.Optional(text),
  insecure: Nullable(Type.Boolean()),
  ca_certificate: Nullable(text),
  credential: Type.Optional(
    Type.Union([
      Type.Object({ type: Nullable(text), access_key: Nullable(text), access_secret: Nullable(text) }),
      Type.Null(),
    ]),
  ),
});

/** The body that changes an endpoint; what is absent stays. */
export const RegistryUpdateBody = Type.Object({
  name: Nullable(text),
  description: Nullable(text),
  url: Nullable(text),
  credential_type: Nullable(text),
  access_key: Nullable(text),
  access_secret: Nullable(text),
  insecure: Nullable(Type.Boolean()),
  ca_certificate: Nullable(text),
});

/** The body that tries an endpoint out: one that is stored, one that is not, or something of both. */
export const RegistryPingBody = Type.Object({
  id: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  type: Nullable(text),
  url: Nullable(text),
  credential_type: Nullable(text),
  access_key: Nullable(text),
  access_secret: Nullable(text),
  insecure: Nullable(Type.Boolean()),
  ca_certificate: Nullable(text),
});

/** An endpoint as the REST API shows it: without its secret. */
export function endpointDocument(endpoint: RegistryEndpoint): Readonly<Record<string, unknown>> {
  const { credential } = endpoint;
  return {
    id: endpoint.id,
    name: endpoint.name,
    description: endpoint.description,
    type: endpoint.type,
    url: endpoint.url,
    ...(credential === undefined
      ? {}
      : {
          credential: {
            type: credential.type,
            access_key: credential.accessKey,
            ...(credential.accessSecret === '' ? {} : { access_secret: '*****' }),
          },
        }),
    insecure: endpoint.insecure,
    ...(endpoint.caCertificate === '' ? {} : { ca_certificate: endpoint.caCertificate }),
    status: endpoint.status,
    creation_time: new Date(endpoint.createdAtMs).toISOString(),
    update_time: new Date(endpoint.updatedAtMs).toISOString(),
  };
}

/** The settings in a body that makes an endpoint. */
export function settingsOfNew(body: Static<typeof NewRegistryBody>): EndpointSettings {
  const { credential } = body;
  return {
    name: body.name ?? '',
    description: body.description ?? '',
    type: parseType(body.type ?? ''),
    url: body.url ?? '',
    insecure: body.insecure ?? false,
    caCertificate: body.ca_certificate ?? '',
    credential: credentialOf(credential?.type, credential?.access_key, credential?.access_secret),
  };
}

/** The settings of an endpoint after a change. A secret never goes to another address than it was given for. */
export function settingsOfUpdate(current: RegistryEndpoint, body: Static<typeof RegistryUpdateBody>): EndpointSettings {
  const before = current.credential;
  const url = body.url ?? current.url;
  const secret = body.access_secret ?? (url === current.url ? before?.accessSecret : '');
  return {
    name: body.name ?? current.name,
    description: body.description ?? current.description,
    type: current.type,
    url,
    insecure: body.insecure ?? current.insecure,
    caCertificate: body.ca_certificate ?? current.caCertificate,
    credential: credentialOf(body.credential_type ?? before?.type, body.access_key ?? before?.accessKey, secret),
  };
}

/** The settings that a ping tries; where a stored endpoint goes is not for the one who pings to say. */
export function settingsOfPing(
  current: RegistryEndpoint | undefined,
  body: Static<typeof RegistryPingBody>,
): EndpointSettings {
  const url = current?.url ?? body.url ?? '';
  const type = body.type ?? current?.type ?? '';
  if (url === '' || type === '') throw invalid('type or url cannot be empty');
  return {
    name: current?.name ?? 'ping',
    description: '',
    type: parseType(type),
    url,
    insecure: current?.insecure ?? body.insecure ?? false,
    caCertificate: current?.caCertificate ?? body.ca_certificate ?? '',
    credential: changedCredential(current?.credential, body),
  };
}

function changedCredential(
  before: EndpointCredential | undefined,
  body: Static<typeof RegistryPingBody>,
): EndpointCredential | undefined {
  const secret = body.access_secret ?? before?.accessSecret;
  return credentialOf(body.credential_type ?? before?.type, body.access_key ?? before?.accessKey, secret);
}

function parseType(type: string): AdapterType {
  if (isAdapterType(type)) return type;
  throw invalid(`adapter factory for "${type.slice(0, 50)}" not found; there are ${ADAPTER_TYPES.join(', ')}`);
}

function credentialOf(
  type: string | null | undefined,
  accessKey: string | null | undefined,
  accessSecret: string | null | undefined,
): EndpointCredential | undefined {
  const key = accessKey ?? '';
  const secret = accessSecret ?? '';
  if (key === '' && secret === '') return undefined;
  const kind = type ?? 'basic';
  if (kind !== '' && kind !== 'basic' && kind !== 'bearer') {
    throw invalid(`the credential type "${kind.slice(0, 50)}" is not supported; there are basic, bearer`);
  }
  return { type: kind === 'bearer' ? 'bearer' : 'basic', accessKey: key, accessSecret: secret };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'REGISTRY_INVALID', message });
}
