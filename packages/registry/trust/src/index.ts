export { StoredSignatures } from './stored-signatures.ts';
export type { StoredSignature, StoredSignaturesDeps } from './stored-signatures.ts';
export { TrustGate } from './trust-gate.ts';
export type { TrustGateDeps } from './trust-gate.ts';
export { TrustPolicies } from './trust-policies.ts';
export type { RuleOf, TrustPolicy, TrustRule } from './trust-policy.ts';
export { trustRoutes } from './trust-routes.ts';
export type { TrustRoutesDeps } from './trust-routes.ts';
export { TrustVerifier } from './trust-verifier.ts';
export type {
  TrustFamily,
  TrustSubject,
  TrustVerdict,
  TrustVerifierDeps,
  TrustedCollections,
} from './trust-verifier.ts';
