export type { ContainerNetwork, EndpointRequest, NetworkConfiguration } from './network-model.ts';
export { ContainerNetworks } from './container-networks.ts';
