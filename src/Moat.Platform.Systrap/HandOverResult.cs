namespace Moat.Platform.Systrap;

/// <summary>How the Sentry got its turn.</summary>
internal enum HandOverResult
{
    /// <summary>Without sleeping.</summary>
    Spun,

    /// <summary>After sleeping.</summary>
    Slept,

    /// <summary>Not at all for a second.</summary>
    TimedOut,
}
