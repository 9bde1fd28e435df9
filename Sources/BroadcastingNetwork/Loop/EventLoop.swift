//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import CUV

/// One thread that waits for sockets, timers and other threads, and at the same time a Swift executor.
///
/// Whatever belongs to a loop is isolated to it by actors whose `unownedExecutor` is the loop, so that it needs no
/// locks. A task enters with the loop as its preference (`withTaskExecutorPreference`, or `executorPreference:` of a
/// group's child), else each resumption of the actor's method takes a detour over the global pool, some 13 µs.
///
/// Loops come from ``withEventLoops(count:_:)`` and end with it. A job that reaches a loop after its end still runs,
/// one at a time, on a thread of its own; new sockets and timers are refused then with ``NetworkError/Code/closed``.
// Sendable: all that is mutable is either under the lock of `inbox` or `end`, or touched by one thread at a time: the one
// for which `isCurrent` is true, which is the creator's until the thread starts, then the loop's own and after its end
// the fallback's, each handed over through a lock.
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
  enum Work: Sendable {
    case job(UnownedJob)
    case call(@Sendable () -> Void)
  }

  /// Work for one turn. What is left waits until the sockets had their turn too.
  private static let jobsPerTurn = 1024

  let uv: UnsafeMutablePointer<uv_loop_t>
  private let wakeUp = UnsafeMutablePointer<uv_async_t>.allocate(capacity: 1)
  private let prepare = UnsafeMutablePointer<uv_prepare_t>.allocate(capacity: 1)
  private let idle = UnsafeMutablePointer<uv_idle_t>.allocate(capacity: 1)

  /// What every stream of this loop reads into, one after the other.
  let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

  private var queue = TurnQueue<Work>()
  private var turnEnd: [() -> Void] = []
  private var turnEndRunning: [() -> Void] = []
  private var nextTurn: [() -> Void] = []
  private var staysAwake = false
  private var timeAtEnd: UInt64?
  /// Shut as soon as the loop starts to end: whoever makes a handle looks here first.
  private(set) var isOpen = true
  /// Streams, listeners, timers and the like that are open or closing.
  var handleCount = 0
  package private(set) lazy var deadlines = Deadlines(loop: self)

  private let inbox = Lock(Inbox<Work>())
  private let end = OneShot<Int32>()

  init() throws(NetworkError) {
    uv = .allocate(capacity: 1)
    var status = uv_loop_init(uv)
    if status == 0 {
      status = uv_async_init(uv, wakeUp, loopWasSignalled)
      if status == 0 {
        uv_prepare_init(uv, prepare)
        uv_idle_init(uv, idle)
      } else {
        uv_loop_close(uv)
      }
    }
    guard status == 0 else {
      isOpen = false
      throw NetworkError("could not make an event loop", status: status)
    }
    let this = Unmanaged.passUnretained(self).toOpaque()
    wakeUp.pointee.data = this
    prepare.pointee.data = this
    idle.pointee.data = this
    uv_prepare_start(prepare, loopIsAboutToWait)
  }

  deinit {
    uv.deallocate()
    wakeUp.deallocate()
    prepare.deallocate()
    idle.deallocate()
    readBuffer.deallocate()
  }

  // MARK: The executor

  public func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  public func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

  public func checkIsolated() { precondition(isCurrent, "called on a thread other than the event loop's") }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  /// Whether the caller runs on this loop.
  public var isCurrent: Bool { CurrentLoop.isCurrent(self) }

  // MARK: Work

  /// Calls `action` on the loop: at once if the caller is there, else as soon as the loop wakes. From one thread they
  /// run in the order of their coming, also with regard to its jobs.
  package func execute(_ action: @escaping @Sendable () -> Void) {
    if isCurrent { action() } else { add(.call(action)) }
  }

  /// Calls `action` when all that this turn brought has been dealt with: the place to write what was gathered.
  /// To be called on the loop.
  package func atTurnEnd(_ action: @escaping () -> Void) {
    assert(isCurrent)
    turnEnd.append(action)
  }

  /// Time as of this turn, for deadlines: cheap, and a few milliseconds old at most on a loop that is not held up.
  /// To be read on the loop.
  package var now: LoopInstant { LoopInstant(milliseconds: timeAtEnd ?? uv_now(uv)) }

  /// Calls `action` in the next turn, when the sockets have been looked at: for work in parts, between which the loop
  /// sees to other things. To be called on the loop.
  package func inNextTurn(_ action: @escaping () -> Void) {
    assert(isCurrent)
    nextTurn.append(action)
  }

  private func add(_ work: Work) {
    if isCurrent {
      queue.append(work)
      return
    }
    let wake = inbox.withLock { inbox in
      let wake = inbox.add(work)
      // Inside the lock, for the loop takes it before it closes the handle: a signal after that would abort.
      if wake == .loop { uv_async_send(wakeUp) }
      return wake
    }
    if wake == .fallback { startFallback() }
  }

  fileprivate func fetch() { queue.append(contentsOf: inbox.withLock { $0.takeAll() }) }

  fileprivate func turn() {
    var left = Self.jobsPerTurn
    if !nextTurn.isEmpty {
      let due = nextTurn
      nextTurn = []
      for action in due { action() }
    }
    repeat {
      while left > 0, let work = queue.popFirst() {
        left -= 1
        run(work)
      }
      swap(&turnEnd, &turnEndRunning)
      for action in turnEndRunning { action() }
      turnEndRunning.removeAll(keepingCapacity: true)
      left -= 1
    } while left > 0 && hasWork
    let staysAwakeNow = hasWork || !nextTurn.isEmpty
    if staysAwakeNow != staysAwake, isOpen {
      staysAwake = staysAwakeNow
      if staysAwake { uv_idle_start(idle, loopIsIdle) } else { uv_idle_stop(idle) }
    }
  }

  private var hasWork: Bool { !queue.isEmpty || !turnEnd.isEmpty }

  private func run(_ work: Work) {
    switch work {
    case .job(let job):
      job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    case .call(let action):
      action()
    }
  }

  // MARK: Beginning and end

  func start() throws(NetworkError) {
    let status = DetachedThread.start { self.runUntilEnd() }
    if status != 0 {
      // Nobody else knows the loop yet, so its handles can be closed from here.
      close()
      uv_run(uv, UV_RUN_DEFAULT)
      uv_loop_close(uv)
      throw NetworkError("could not start the thread of an event loop", status: status)
    }
  }

  /// Closes what is still open, runs what is left and returns when the thread is about to end. The status is that of
  /// `uv_loop_close`: 0 if nothing was forgotten.
  func stop() async -> Int32 {
    execute { self.close() }
    return await end.value()
  }

  private func close() {
    isOpen = false
    inbox.withLock { $0.startClosing() }
    // All owners should have closed theirs by now. One left open would keep `uv_run` from ever returning.
    uv_walk(uv, closeWhatIsOpen, Unmanaged.passUnretained(self).toOpaque())
  }

  private func runUntilEnd() {
    CurrentLoop.set(self)
    uv_run(uv, UV_RUN_DEFAULT)
    timeAtEnd = uv_now(uv)
    let status = uv_loop_close(uv)
    runWhatIsLeft()
    end.fill(status)
  }

  private func startFallback() {
    // Without a thread to be had, late work runs where it came from: better than never.
    if DetachedThread.start({ self.runLateWork() }) != 0 { runLateWork() }
  }

  private func runLateWork() {
    CurrentLoop.set(self)
    runWhatIsLeft()
  }

  private func runWhatIsLeft() {
    repeat {
      fetch()
      while hasWork || !nextTurn.isEmpty { turn() }
    } while !inbox.withLock { $0.endIfEmpty() }
    CurrentLoop.set(nil)
  }
}

private func eventLoop(_ data: UnsafeMutableRawPointer?) -> EventLoop? {
  data.map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
}

private func loopWasSignalled(_ handle: UnsafeMutablePointer<uv_async_t>?) { eventLoop(handle?.pointee.data)?.fetch() }

private func loopIsAboutToWait(_ handle: UnsafeMutablePointer<uv_prepare_t>?) {
  eventLoop(handle?.pointee.data)?.turn()
}

/// Nothing to do: an idle handle that is started keeps the loop from waiting.
private func loopIsIdle(_ handle: UnsafeMutablePointer<uv_idle_t>?) {}

private func closeWhatIsOpen(_ handle: UnsafeMutablePointer<uv_handle_t>?, _ loop: UnsafeMutableRawPointer?) {
  guard let handle, uv_is_closing(handle) == 0 else { return }
  if handle.pointee.data == loop {
    uv_close(handle, nil)
  } else {
    LoopHandle.from(handle)?.close()
  }
}
