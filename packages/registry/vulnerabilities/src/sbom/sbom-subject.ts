/** What an SBOM is about, and who made it when. */
export interface SbomSubject {
  /** With the registry's name: `registry.example.com/library/nginx`. */
  readonly name: string;
  readonly digest: string;
  readonly createdAtMs: number;
  /** Name and version of the tool. */
  readonly tool: { readonly name: string; readonly vendor: string; readonly version: string };
}
