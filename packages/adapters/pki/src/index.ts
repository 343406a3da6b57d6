export { CertificateAuthority } from './certificate-authority.ts';
export type { Credential, Subject } from './certificate-authority.ts';
export { assertCredential, certificateCovers, readCertificate } from './certificate.ts';
export type { CertificateSummary } from './certificate.ts';
export { chainProblem, parseCertificates } from './certificate-chain.ts';
