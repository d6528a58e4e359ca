namespace Moat.Platform.Systrap;

/// <summary>What has become of an <see cref="Errand"/>.</summary>
internal enum ErrandEnd
{
    /// <summary>The calls have been made, by the application's word.</summary>
    Made,

    /// <summary>The thread was stopped first, and will not make them any more: another has to.</summary>
    Stopped,

    /// <summary>The thread neither makes them nor stops.</summary>
    Stuck,
}
