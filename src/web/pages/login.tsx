export function Login({ onDone }: { onDone: () => void }) {
  return (
    <main class="login">
      <h1>Conduct</h1>
      <button type="button" onClick={onDone}>
        Try again
      </button>
    </main>
  )
}
