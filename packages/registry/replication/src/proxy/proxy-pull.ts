import type { UpstreamPlace } from '@vic/distribution';
import type { RegistryEndpoint } from '../endpoints/registry-endpoint.ts';
import type { ProxySettings } from './proxy-project.ts';

/** One pull, with everything that is known of its project and upstream. */
export interface ProxyPull {
  readonly place: UpstreamPlace;
  readonly settings: ProxySettings;
  readonly endpoint: RegistryEndpoint;
  /** The repository's name at the upstream. */
  readonly name: string;
}
