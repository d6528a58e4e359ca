namespace Moat.Platform.Systrap.Amd64;

/// <summary>How a patched call goes on.</summary>
internal enum FastAnswer
{
    /// <summary>The application goes on with the result in RAX.</summary>
    Return,

    /// <summary>The application goes on with everything in <see cref="ThreadSlot.Prepared"/>.</summary>
    Load,

    /// <summary>The FPU state goes into <see cref="ThreadSlot.Prepared"/>, then as above.</summary>
    SaveAndLoad,

    /// <summary>The FPU state goes into <see cref="ThreadSlot.Prepared"/>, and the Sentry has its turn again.</summary>
    Save,
}
