import { VicError } from '@vic/errors';

/** A network that is not there. */
export function networkNotFound(nameOrId: string): VicError {
  return new VicError({ class: 'NotFound', code: 'NETWORK_NOT_FOUND', message: `network ${nameOrId} not found` });
}

/** A container that has its address already. */
export function alreadyConnected(containerName: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'NETWORK_ALREADY_CONNECTED',
    message: `container ${containerName} is already connected to a network`,
  });
}

/** No address left. */
export function addressesExhausted(subnet: string): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'NETWORK_ADDRESSES_EXHAUSTED',
    message: `no available IPv4 addresses on this network's address pools: ${subnet}`,
    remedy: 'Remove containers that are no longer needed; stopped containers keep their address.',
  });
}

/** An address that somebody holds. */
export function addressInUse(address: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'NETWORK_ADDRESS_IN_USE',
    message: `Address already in use: ${address}`,
  });
}

/** An address that containers of this network cannot have. */
export function addressOutside(address: string, subnet: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_ADDRESS_OUTSIDE',
    message: `invalid address ${address.slice(0, 64)}: It does not belong to the network ${subnet}`,
  });
}

/** A published port that is taken, in the words of Docker's bridge driver. */
export function portTaken(containerName: string, hostAddress: string, port: number): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'NETWORK_PORT_TAKEN',
    message:
      `driver failed programming external connectivity on endpoint ${containerName}: ` +
      `Bind for ${hostAddress === '' ? '0.0.0.0' : hostAddress}:${port} failed: port is already allocated`,
  });
}

/** No ephemeral port left. */
export function portsExhausted(containerName: string): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'NETWORK_PORTS_EXHAUSTED',
    message:
      `driver failed programming external connectivity on endpoint ${containerName}: ` +
      'all ports are allocated in the ephemeral range',
  });
}

/** A host address that is not the endpoint's. */
export function hostAddressRefused(hostAddress: string, publicAddress: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_HOST_ADDRESS_REFUSED',
    message:
      `host IP for port bindings is only supported for 0.0.0.0 and the public interface IP address ` +
      `(${publicAddress}), not ${hostAddress.slice(0, 64)}`,
  });
}

/** A NIC the configuration names and the endpoint does not have. */
export function interfaceMissing(role: string, mac: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'NETWORK_INTERFACE_MISSING',
    message: `The endpoint has no network interface with the MAC ${mac} of its ${role} network.`,
    remedy: "Compare the endpoint VM's network adapters with the virtual container host's configuration.",
  });
}
