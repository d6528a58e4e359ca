namespace Runsc.Commands;

/// <summary>What <c>wait</c> prints.</summary>
/// <param name="Id">The container.</param>
/// <param name="ExitStatus">The exit code, or 128 and a signal's number.</param>
internal sealed record WaitResult(string Id, int ExitStatus);
