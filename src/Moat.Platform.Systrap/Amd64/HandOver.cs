namespace Moat.Platform.Systrap.Amd64;

/// <summary>Values of <see cref="ThreadSlot.Turn"/>: whose turn it is, and whether the other side sleeps on the word.</summary>
internal static class HandOver
{
    /// <summary>The Sentry's.</summary>
    public const int Sentry = 0;

    /// <summary>The stub's.</summary>
    public const int Stub = 1;

    /// <summary>The Sentry's; the stub sleeps.</summary>
    public const int SentryStubSleeps = 2;

    /// <summary>The stub's; the Sentry sleeps.</summary>
    public const int StubSentrySleeps = 3;

    /// <summary>The bit that says that it is the stub's.</summary>
    public const int StubBit = 1;
}
