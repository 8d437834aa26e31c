# CycloneDX 1.6 from the output of `go version -m -json BINARY`.
# Arguments: $version of the program, $date of the sources in Unix seconds.

def purl: "pkg:golang/\(.Path)@\(.Version)";
def used: .Replace // .;
def setting($name): .Settings[] | select(.Key == $name) | .Value;

{
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    timestamp: ($date | tonumber | todate),
    component: {
      type: "application",
      "bom-ref": "status_exporter",
      name: "status_exporter",
      version: $version,
      properties: [
        {name: "go:platform", value: "\(setting("GOOS"))/\(setting("GOARCH"))"}
      ]
    }
  },
  components: (
    [{
      type: "library",
      "bom-ref": "std",
      name: "std",
      version: (.GoVersion | ltrimstr("go")),
      purl: "pkg:golang/std@\(.GoVersion | ltrimstr("go"))"
    }]
    + [
      .Deps[] | used | {
        type: "library",
        "bom-ref": purl,
        name: .Path,
        version: .Version,
        purl: purl,
        properties: [{name: "go:sum", value: .Sum}]
      }
    ]
  ),
  dependencies: [
    {ref: "status_exporter", dependsOn: (["std"] + [.Deps[] | used | purl])}
  ]
}
