import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder } from '../cli/folder.ts'
import { testLedger } from '../support/engines.ts'

/** The folder in which Debian installs the sources of golang.org/x/mod. */
const sources = '/usr/share/gocode'
const runs = 600

/** A program that checks checkpoints and proofs with Go's own packages for transparency logs. */
const program = `package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type consistency struct {
	From, To string
	Hashes   []string
}

type input struct {
	VerifierKey string
	Checkpoints []string
	Proofs      []string
	Consistency []consistency
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func hashOf(text string) tlog.Hash {
	hash, err := tlog.ParseHash(text)
	must(err)
	return hash
}

func open(text string, verifiers note.Verifiers) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(text), verifiers)
	must(err)
	lines := strings.Split(opened.Text, "\\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	return size, hashOf(lines[2])
}

func hashesOf(texts []string) []tlog.Hash {
	hashes := []tlog.Hash{}
	for _, text := range texts {
		hashes = append(hashes, hashOf(text))
	}
	return hashes
}

func main() {
	var in input
	must(json.NewDecoder(os.Stdin).Decode(&in))
	verifier, err := note.NewVerifier(in.VerifierKey)
	must(err)
	verifiers := note.VerifierList(verifier)
	for _, text := range in.Checkpoints {
		open(text, verifiers)
		if _, err := note.Open([]byte(strings.Replace(text, "\\n", "1\\n", 1)), verifiers); err == nil {
			panic("a forged note was opened")
		}
	}
	for _, text := range in.Proofs {
		proof, checkpoint, _ := strings.Cut(text, "\\n\\n")
		size, root := open(checkpoint, verifiers)
		lines := strings.Split(proof, "\\n")
		entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
		must(err)
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
		must(err)
		hashes := hashesOf(lines[3:])
		must(tlog.CheckRecord(hashes, size, root, index, tlog.RecordHash(entry)))
		if tlog.CheckRecord(hashes, size, root, index, tlog.RecordHash(append(entry, ' '))) == nil {
			panic("a forged entry was accepted")
		}
	}
	for _, one := range in.Consistency {
		old, oldRoot := open(one.From, verifiers)
		size, root := open(one.To, verifiers)
		hashes := hashesOf(one.Hashes)
		must(tlog.CheckTree(hashes, size, root, old, oldRoot))
		if tlog.CheckTree(hashes, size, root, old, root) == nil {
			panic("a forged tree was accepted")
		}
	}
	fmt.Printf("%d checkpoints, %d proofs of events, %d of consistency", len(in.Checkpoints), len(in.Proofs), len(in.Consistency))
}
`

testLedger('Go accepts checkpoints and proofs', async ({ client, advance }, t) => {
  const go = spawnSync('go', ['version'])
  const isThere = go.status === 0 && existsSync(sources)
  assert.ok(isThere, 'Go is missing: install it, for instance by apt-get install golang-go golang-golang-x-mod-dev')

  const checkpoints: { note: string; size: number; verifierKey: string }[] = []
  for (let n = 0; n < runs; n++) {
    await client.createRun({ title: `run ${n}` })
    if (n % 97 !== 0) continue
    advance(61_000)
    checkpoints.push(await client.getCheckpoint())
  }
  const newest = checkpoints.at(-1) as (typeof checkpoints)[number]
  const seqs = Array.from({ length: newest.size }, (_, n) => n + 1)
  const proofs = await Promise.all(seqs.map(async (seq) => (await client.getProof({ seq })).proof))
  const consistency = await Promise.all(
    checkpoints.flatMap((to) =>
      checkpoints
        .filter((from) => from.size <= to.size)
        .map(async (from) => {
          const { hashes } = await client.getConsistency({ from: from.size, to: to.size })
          return { From: from.note, To: to.note, Hashes: hashes }
        }),
    ),
  )
  const file = join(freshFolder(t), 'main.go')
  writeFileSync(file, program)
  const input = {
    ...{ VerifierKey: newest.verifierKey, Checkpoints: checkpoints.map(({ note }) => note) },
    ...{ Proofs: proofs, Consistency: consistency.filter(({ From, To }) => From !== To) },
  }
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: sources, GOFLAGS: '' }
  const { status, stdout, stderr } = spawnSync('go', ['run', file], {
    env,
    input: JSON.stringify(input),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  t.diagnostic(stdout)
})
