import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@vic/files';
import { hashPassword, writeUsers } from '@vic/inventory';
import { CertificateAuthority, type Credential, certificateCovers, readCertificate } from '@vic/pki';

/** The administrator that a new host has. */
export const ADMINISTRATOR = 'root';

/** Files that let clients in; made at the first start, kept from then on. */
export interface HostCredentials {
  readonly tls: Credential;
  /** SHA-1 thumbprint of the server's certificate. */
  readonly thumbprint: string;
  readonly usersFile: string;
  /** Holds the generated password of {@link ADMINISTRATOR}; mode 0600. */
  readonly passwordFile: string;
}

/** The host's certificate, users and generated password. The password is never printed or logged. */
export async function ensureCredentials(directory: string, address: string): Promise<HostCredentials> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const tls = await ensureCertificate(directory, address);
  const usersFile = join(directory, 'users.json');
  const passwordFile = join(directory, 'root-password');
  if ((await readText(passwordFile)) === undefined) {
    const password = randomBytes(18).toString('base64url');
    await writeUsers(usersFile, [{ name: ADMINISTRATOR, passwordHash: await hashPassword(password), role: 'Admin' }]);
    await writePrivate(passwordFile, password);
  }
  return { tls, thumbprint: readCertificate(tls.certificate, 'hostd').thumbprint, usersFile, passwordFile };
}

async function ensureCertificate(directory: string, address: string): Promise<Credential> {
  const certificateFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  const [certificate, key] = await Promise.all([readText(certificateFile), readText(keyFile)]);
  if (certificate !== undefined && key !== undefined && certificateCovers(certificate, address)) {
    return { certificate, key };
  }
  const authority = await CertificateAuthority.create({ commonName: 'hostd' });
  const credential = await authority.issueServer({ commonName: address }, [address, '127.0.0.1', 'localhost']);
  await writePrivate(keyFile, credential.key);
  await writePrivate(certificateFile, credential.certificate);
  return credential;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function writePrivate(path: string, text: string): Promise<void> {
  await replaceFile(path, text, { mode: 0o600, durable: true });
}
