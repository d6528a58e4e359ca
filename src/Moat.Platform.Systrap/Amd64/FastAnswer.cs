namespace Moat.Platform.Systrap.Amd64;

/// <summary>How a patched call goes on.</summary>
internal enum FastAnswer
{
    /// <summary>The application goes on with the result in RAX.</summary>
    Return,

    /// <summary>The thread traps, so that the Sentry gets everything in a frame.</summary>
    Trap,
}
