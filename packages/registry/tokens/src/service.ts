/** The service that clients of `/v2` name. */
export const REGISTRY_SERVICE = 'harbor-registry';
/** The service that clients of Notary name. */
export const NOTARY_SERVICE = 'harbor-notary';

/** Whether tokens are made for the service. */
export function isKnownService(service: string): boolean {
  return service === REGISTRY_SERVICE || service === NOTARY_SERVICE;
}
