import 'reflect-metadata';
import { X509Certificate } from '@peculiar/x509';

/** The DER bytes of an extension's value; `undefined` when the certificate has no such extension. */
export function certificateExtension(der: Uint8Array, oid: string): Buffer | undefined {
  const extension = new X509Certificate(new Uint8Array(der)).getExtension(oid);
  return extension === null ? undefined : Buffer.from(extension.value);
}
