namespace Moat.Runtime.Launch;

/// <summary>A Gofer that has been started.</summary>
/// <param name="Connections">The Sentry's ends, one for each export.</param>
/// <param name="ReadyFd">Where its report comes.</param>
/// <param name="Pid">Its number.</param>
internal sealed record StartedGofer(IReadOnlyList<int> Connections, int ReadyFd, int Pid);
