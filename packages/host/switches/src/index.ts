export { Switches, bridgeNameOf } from './switches.ts';
export type { SwitchesOptions } from './switches.ts';
export { VM_NETWORK, namespaceOf, planHostNetwork, setUpHostNetwork, tearDownHostNetwork } from './host-network.ts';
export type { HostNetwork, HostNetworkConfig } from './host-network.ts';
