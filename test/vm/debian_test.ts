import { assertEquals } from "@std/assert";
import { mirrorOf, sourceLines } from "../../vm/debian.ts";

Deno.test("mirrorOf() finds the mirror of Debian itself, not that of its security updates", () => {
  const targets = [
    "Debian main Debian-Security http://security.example/debian-security/",
    "Other main Debian http://other.example/debian/",
    "Debian contrib Debian http://mirror.example/debian/",
    "Debian main Debian http://mirror.example/debian/",
  ].join("\n");
  assertEquals(mirrorOf(targets), "http://mirror.example/debian");
});

Deno.test("mirrorOf() finds none among those of another distribution", () => {
  assertEquals(mirrorOf("Ubuntu main Ubuntu http://mirror.example/ubuntu/\n"), undefined);
  assertEquals(mirrorOf(""), undefined);
});

Deno.test("sourceLines() names the release and its backports", () => {
  assertEquals(sourceLines("http://mirror.example/debian"), [
    "deb http://mirror.example/debian trixie main",
    "deb http://mirror.example/debian trixie-backports main",
  ]);
});
