export type { ContainerNetwork, EndpointInterface, EndpointRequest, NetworkConfiguration } from './network-model.ts';
export { ContainerNetworks } from './container-networks.ts';
export type { ContainerNetworksDeps } from './container-networks.ts';
