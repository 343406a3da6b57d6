import type { AdapterType } from '../peers/adapter-catalog.ts';

/** Another registry: where replication copies to or from, or what a proxy-cache project stands for. */
export interface RegistryEndpoint {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly type: AdapterType;
  /** Without a slash at its end. */
  readonly url: string;
  readonly credential: EndpointCredential | undefined;
  readonly insecure: boolean;
  /** PEM; empty when only the public authorities are trusted. */
  readonly caCertificate: string;
  readonly status: EndpointStatus;
  /** Whether that registry copies to this one, too: then the later writer of a tag wins. */
  readonly replicatesHere: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What this registry logs in there with. */
export interface EndpointCredential {
  /** `basic`: a name and a password; `bearer`: a token that is sent as it is. */
  readonly type: 'basic' | 'bearer';
  readonly accessKey: string;
  readonly accessSecret: string;
}

/** Whether the endpoint answered when it was last asked. */
export type EndpointStatus = 'healthy' | 'unhealthy';

/** The part of an endpoint that an administrator sets. */
export type EndpointSettings = Pick<
  RegistryEndpoint,
  'name' | 'description' | 'type' | 'url' | 'credential' | 'insecure' | 'caCertificate'
>;

/** What is needed to talk to a registry; an endpoint, or one that is only being tried out. */
export type EndpointConnection = Pick<
  RegistryEndpoint,
  'name' | 'type' | 'url' | 'credential' | 'insecure' | 'caCertificate'
>;
