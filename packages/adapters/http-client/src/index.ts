export { HttpClient } from './http-client.ts';
export type { HttpClientOptions, HttpMethod, HttpRequest, RetryDecision } from './http-client.ts';
export { HttpResponse } from './http-response.ts';
export { proxyFor } from './proxy.ts';
export type { ProxySettings } from './proxy.ts';
export type { TlsTrust } from './connector.ts';
